"""The report: tables, figures and one HTML file, from records alone. Never imports TensorFlow."""
