"""Why a description cannot be written."""

from services.common.errors import OkoError


class NoRoomForMetadata(OkoError):
    status, code, title = 422, "metadata-unsupported", "The file cannot hold a description"


class DamagedMetadata(OkoError):
    status, code, title = 422, "metadata-damaged", "The file's structure or metadata is damaged"
