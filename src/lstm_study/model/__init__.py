"""The network: the space it is drawn from, its builder, and its fast LSTM layer."""
