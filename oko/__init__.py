"""Oko on one machine: captions without servers, and all servers with one command."""
