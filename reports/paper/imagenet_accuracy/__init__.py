"""Does ImageNet accuracy matter: Figure 5."""
