"""Loss networks: pretrained architectures, their weights, and features at their layers."""
