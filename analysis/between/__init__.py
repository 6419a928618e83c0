"""Whether one benchmark tells another."""
