"""The first screen: which loss network for which task, and how sure that is."""
