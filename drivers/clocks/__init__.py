"""Device clocks, counters and arrivals to session seconds: wrap-around, reset, loss, drift."""
