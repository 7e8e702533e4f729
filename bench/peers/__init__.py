"""What Oko is compared with. Runs in an environment of its own: TensorFlow, Torch, transformers."""
