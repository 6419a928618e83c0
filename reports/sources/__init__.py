"""The section on sources: the paper beside other published studies and the runs of a home."""
