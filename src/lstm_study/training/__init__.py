"""One training: one configuration, one seed, a budget of epochs; it can be stopped and resumed."""
