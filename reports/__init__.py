"""The report: frames in, one HTML page out."""
