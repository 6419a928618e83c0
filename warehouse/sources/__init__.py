"""What is written on disk and how it is read back, writer and reader together."""
