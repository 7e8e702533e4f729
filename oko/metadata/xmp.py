"""XMP packets (ISO 16684-1): RDF in XML, in which `dc:description` has a text per language."""

from collections.abc import Iterator, Mapping
from typing import Final
from xml.dom.minidom import Document, Element, parseString
from xml.parsers.expat import ExpatError

from oko.metadata.errors import DamagedMetadata

_DC: Final = "http://purl.org/dc/elements/1.1/"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_XMLNS: Final = "http://www.w3.org/2000/xmlns/"
_LARGEST: Final = 2**20
_EMPTY: Final = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="' + _RDF.encode() + b'">'
    b'<rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
)
_BEGIN: Final = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END: Final = b'\n<?xpacket end="w"?>'


def has_description(packet: bytes) -> bool:
    """Raises `DamagedMetadata`."""
    document = _parsed(packet)
    inside = (_text(element) for element in document.getElementsByTagNameNS(_DC, "description"))
    return any(inside) or any(
        element.getAttributeNS(_DC, "description").strip() for element in _described(document)
    )


def with_description(packet: bytes | None, descriptions: Mapping[str, str]) -> bytes:
    """The packet with `dc:description` replaced; everything else in it stays.

    Args:
        packet: The old one, None when there is none.
        descriptions: By language (RFC 3066), the one for readers of no language of these first.

    Raises:
        DamagedMetadata: The old packet cannot be read.
    """
    document = _parsed(packet or _EMPTY)
    for old in document.getElementsByTagNameNS(_DC, "description"):
        assert old.parentNode is not None, "only a document has no parent"
        old.parentNode.removeChild(old)
    described = list(_described(document))
    for element in described:
        if element.hasAttributeNS(_DC, "description"):
            element.removeAttributeNS(_DC, "description")
    if not described:
        raise DamagedMetadata("Its XMP describes nothing.")
    described[0].appendChild(_alternatives(document, described[0].prefix, descriptions))
    assert document.documentElement is not None, "what has been parsed has a root"
    return _BEGIN + document.documentElement.toxml(encoding="utf-8") + _END


def _parsed(packet: bytes) -> Document:
    # A document type could define entities that grow without bound. XMP never has one.
    if len(packet) > _LARGEST or b"<!DOCTYPE" in packet:
        raise DamagedMetadata("Its XMP is not of a usual kind.")
    try:
        return parseString(packet.strip(b"\0 \t\r\n"))  # noqa: S318 - without a document type
    except (ExpatError, ValueError, LookupError) as error:
        raise DamagedMetadata(f"Its XMP is damaged: {error}.") from error


def _described(document: Document) -> Iterator[Element]:
    """The top-level `rdf:Description` elements, by whose attributes and children RDF describes."""
    for rdf in document.getElementsByTagNameNS(_RDF, "RDF"):
        for child in rdf.childNodes:
            if isinstance(child, Element) and child.localName == "Description":
                yield child


def _text(element: Element) -> str:
    parts = (
        _text(child) if isinstance(child, Element) else str(child.nodeValue or "")
        for child in element.childNodes
    )
    return "".join(parts).strip()


def _alternatives(document: Document, rdf: str | None, descriptions: Mapping[str, str]) -> Element:
    prefix = f"{rdf}:" if rdf else ""
    description = document.createElementNS(_DC, "dc:description")
    description.setAttributeNS(_XMLNS, "xmlns:dc", _DC)
    alternatives = document.createElementNS(_RDF, f"{prefix}Alt")
    first = next(iter(descriptions.values()))
    for language, text in {"x-default": first, **descriptions}.items():
        item = document.createElementNS(_RDF, f"{prefix}li")
        item.setAttributeNS(_XML, "xml:lang", language)
        item.appendChild(document.createTextNode(text))
        alternatives.appendChild(item)
    description.appendChild(alternatives)
    return description
