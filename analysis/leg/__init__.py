"""The simulated leg: a seeded body that moves, a sensor strapped to its shank, and the truth of each event.

Frame of the world: x forward, y to the wearer's left, z up. Pitch is positive when the shank leans forward.
"""
