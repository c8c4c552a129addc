"""A Keras Tuner hyperparameter study of an LSTM that reads reviews."""
