"""Surface EMG of the calf: samples in, bursts, contact quality and contractions out. Causal, any cutting alike."""
