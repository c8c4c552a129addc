"""The fast LSTM: the layer, its loop in XLA, and its loop on the CPU."""
