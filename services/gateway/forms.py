"""Requests with images: a raw image body, or a multipart form parsed as it arrives.

Starlette's own form parser spools files to disk and sets no limit on their size; here every part
is counted, nothing touches the disk, and file names are never looked at.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from services.common.errors import BodyTooLarge, InvalidParameter
from services.common.uploads import BodyLimits, stream_body
from services.gateway.admission import UploadMemory
from services.gateway.errors import UnsupportedMediaType

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

IMAGE_FIELD = "image"
MAX_FIELDS = 16
MAX_FIELD_BYTES = 1024
MAX_PART_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class UploadLimits:
    body: BodyLimits
    max_images: int
    max_image_bytes: int


@dataclass(frozen=True, slots=True)
class Upload:
    """Images in the order sent, and the other fields of the form."""

    images: tuple[bytes, ...]
    fields: dict[str, str]
    several: bool
    """More than one image was sent: the answer is a list."""


async def read_upload(request: Request, limits: UploadLimits, memory: UploadMemory) -> Upload:
    """Reads the images of a request.

    Args:
        request: Multipart form, or an image as the whole body.
        limits: On bytes, parts and time.
        memory: Told of every byte kept.

    Raises:
        InvalidParameter: No image, too many, a wrong field or a broken form.
        BodyTooLarge, UploadTooSlow, Overloaded, UnsupportedMediaType: As named.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        boundary = options.get(b"boundary")
        if not boundary or len(boundary) > 200:
            raise InvalidParameter("The multipart form names no valid boundary.", field="body")
        return await _read_form(request, boundary, limits, memory)
    if kind.startswith(b"image/") or kind in (b"", b"application/octet-stream"):
        return await _read_raw(request, limits, memory)
    raise UnsupportedMediaType(
        f"Send multipart/form-data with the field `{IMAGE_FIELD}`, or the image itself as the "
        "body with its image/… content type."
    )


async def _read_raw(request: Request, limits: UploadLimits, memory: UploadMemory) -> Upload:
    largest = min(limits.max_image_bytes, limits.body.max_bytes)
    body = BodyLimits(largest, limits.body.idle_s, limits.body.total_s)
    pieces = []
    async for piece in stream_body(request, body):
        memory.add(len(piece))
        pieces.append(piece)
    image = b"".join(pieces)
    if not image:
        raise _no_image()
    return Upload((image,), {}, several=False)


async def _read_form(
    request: Request, boundary: bytes, limits: UploadLimits, memory: UploadMemory
) -> Upload:
    form = _Form(limits, memory)
    parser = MultipartParser(boundary, form.callbacks(), max_size=limits.body.max_bytes)
    try:
        async for piece in stream_body(request, limits.body):
            if piece:
                parser.write(piece)
        parser.finalize()
    except MultipartParseError as error:
        raise InvalidParameter("The multipart form is not valid.", field="body") from error
    if not form.complete:
        raise InvalidParameter("The multipart form is cut off.", field="body")
    if not form.images:
        raise _no_image()
    return Upload(tuple(form.images), form.fields, several=len(form.images) > 1)


def _no_image() -> InvalidParameter:
    return InvalidParameter(
        f"No image was sent. Send it in the form field `{IMAGE_FIELD}`, or as the body.",
        field=IMAGE_FIELD,
        allowed="at least one image",
    )


@dataclass(slots=True)
class _Form:
    """Collects parts as the parser meets them."""

    limits: UploadLimits
    memory: UploadMemory
    images: list[bytes] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _header_name: bytearray = field(default_factory=bytearray)
    _header_value: bytearray = field(default_factory=bytearray)
    _header_bytes: int = 0
    _name: str = ""
    _body: list[memoryview] = field(default_factory=list)
    _body_bytes: int = 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._name_piece,
            "on_header_value": self._value_piece,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._form_end,
        }

    def _begin(self) -> None:
        self._headers.clear()
        self._header_bytes = 0
        self._name = ""
        self._body.clear()
        self._body_bytes = 0

    def _name_piece(self, data: bytes, start: int, end: int) -> None:
        self._header_name += self._counted(data[start:end])

    def _value_piece(self, data: bytes, start: int, end: int) -> None:
        self._header_value += self._counted(data[start:end])

    def _counted(self, piece: bytes) -> bytes:
        self._header_bytes += len(piece)
        if self._header_bytes > MAX_PART_HEADER_BYTES:
            raise InvalidParameter("A part of the form has too long headers.", field="body")
        return piece

    def _header_end(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _headers_end(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"")
        _, options = parse_options_header(disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name == IMAGE_FIELD:
            if len(self.images) >= self.limits.max_images:
                raise InvalidParameter(
                    f"At most {self.limits.max_images} images are taken in one request.",
                    field=IMAGE_FIELD,
                    allowed=self.limits.max_images,
                )
        elif len(self.fields) >= MAX_FIELDS:
            raise InvalidParameter("The form has too many fields.", field="body")

    def _data(self, data: bytes, start: int, end: int) -> None:
        size = end - start
        if self._name == IMAGE_FIELD:
            if self._body_bytes + size > self.limits.max_image_bytes:
                raise BodyTooLarge(
                    f"An image may have at most {self.limits.max_image_bytes:,} bytes.",
                    max_bytes=self.limits.max_image_bytes,
                )
            self.memory.add(size)
        elif self._body_bytes + size > MAX_FIELD_BYTES:
            raise InvalidParameter(
                f"The field `{self._name[:40]}` is too long; send images as `{IMAGE_FIELD}`.",
                field=self._name[:40],
                allowed=f"at most {MAX_FIELD_BYTES} bytes",
            )
        self._body.append(memoryview(data)[start:end])
        self._body_bytes += size

    def _end(self) -> None:
        body = b"".join(self._body)
        if self._name == IMAGE_FIELD:
            self.images.append(body)
        else:
            self.fields[self._name] = body.decode("utf-8", "replace")
        self._body.clear()
        self._body_bytes = 0

    def _form_end(self) -> None:
        self.complete = True
