"""What the findings say beyond the networks, trainings and families at hand."""
