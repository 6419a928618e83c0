"""The paper reproduced: Tables I to XI, Figures 1 to 5."""
