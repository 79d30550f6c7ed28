"""The example project: its API against the public description of RealWorld, and what it adds."""
