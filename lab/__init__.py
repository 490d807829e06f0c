"""A throw-away kind cluster with the reference agent in it: test and demo equipment, never part of a deployment."""
