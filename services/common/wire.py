"""What the services say to each other beside the body: media type and header names."""

MEDIA_TYPE = "application/x-npy"
FEATURE_MODEL = "X-Feature-Model"
IMAGE_DIGEST = "X-Image-Digest"
IMAGE_SIZE = "X-Image-Size"
IMAGE_KIND = "X-Image-Kind"
CACHE = "X-Cache"
DECODER_MODEL = "X-Decoder-Model"
INTERNAL_TOKEN = "X-Oko-Token"  # noqa: S105 - the name of a header, not a secret
