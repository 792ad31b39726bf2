"""Recording live: a session takes packets, a supervisor keeps a sensor streaming into it."""
