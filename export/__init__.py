"""Export of trained checkpoints to the ONNX models that the services load."""
