"""`make test-train` has TensorFlow; the services' environment does not, and skips this folder."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("tensorflow") else ["test_*.py"]
