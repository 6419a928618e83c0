"""What every part of the page shares."""
