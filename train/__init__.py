"""Training of Oko's models: data → embeddings → features → distill → fit → scst → evaluate."""
