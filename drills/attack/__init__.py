"""Attacks on a running stack, each of which once succeeded or nearly did: `make attack`."""
