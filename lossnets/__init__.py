"""Which pretrained network, and which of its layers, makes a good perceptual loss."""

__version__ = "0.1.0"
