"""SOAP envelopes of WS-Management: what a request says and what an answer looks like. No sockets, no shells.

Requests are untrusted text: a document type, an entity or another encoding than UTF-8 is refused before the parser
sees it, and a size is checked by the front end.
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from attrs import field, frozen

from cauctl.lab.wsman import faults

if TYPE_CHECKING:
    from cauctl.lab.wsman.faults import WSManFault

__all__ = ["CONTENT_TYPE", "PWSH", "RSP", "WSMAN", "Request", "answer", "fault_answer", "parse", "xml_duration"]

_S: Final = "{http://www.w3.org/2003/05/soap-envelope}"
_WSA: Final = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
_WSMV: Final = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}"
WSMAN: Final = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
RSP: Final = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
PWSH: Final = "{http://schemas.microsoft.com/powershell}"
CONTENT_TYPE: Final = "application/soap+xml;charset=UTF-8"
DEFAULT_TIMEOUT: Final = timedelta(seconds=60)
DEFAULT_ENVELOPE: Final = 153_600
LARGEST_ENVELOPE: Final = 512_000
FAULT_ACTION: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"

_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
_ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
_ACTIONS: Final = {
    **{_SHELL + name: name for name in ("Command", "Connect", "Disconnect", "Receive", "Reconnect", "Send", "Signal")},
    **{_TRANSFER + name: name for name in ("Create", "Delete", "Get")},
    **{_ENUMERATION + name: name for name in ("Enumerate", "Pull")},
}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_HEADER: Final = (
    '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer"'
    ' xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"'
    ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    ' xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"'
    ' xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"><s:Header>'
)


@frozen
class Request:
    """What one request asks for."""

    action: str
    """Last part of the action URI; empty when no shell has such an action."""
    action_uri: str = field(kw_only=True)
    message_id: str = field(kw_only=True)
    resource_uri: str = field(kw_only=True)
    operation_timeout: timedelta = field(kw_only=True)
    max_envelope: int = field(kw_only=True)
    """Largest answer in bytes that the client takes."""
    session_id: str = field(kw_only=True)
    selectors: Mapping[str, str] = field(kw_only=True)
    body: ET.Element = field(kw_only=True, repr=False, eq=False)

    @property
    def shell_id(self) -> str:
        """The shell that the request is about, in capitals."""
        return self.selectors.get("ShellId", "").upper()

    def element(self, path: str) -> ET.Element:
        """Give the body's element at ``path``; its absence is a schema violation."""
        found = self.body.find(path)
        if found is None:
            raise faults.schema_violation(f"no {path.rpartition('}')[2]} element")
        return found


def parse(data: bytes) -> Request:
    """Read an envelope; whatever is wrong with it is a :class:`WSManFault`."""
    root = _parse_xml(data)
    header, body = root.find(f"{_S}Header"), root.find(f"{_S}Body")
    if header is None or body is None:
        raise faults.schema_violation("not a SOAP 1.2 envelope")
    action_uri = _text(header, f"{_WSA}Action")
    return Request(
        _ACTIONS.get(action_uri, ""),
        action_uri=action_uri,
        message_id=_text(header, f"{_WSA}MessageID"),
        resource_uri=_text(header, f"{WSMAN}ResourceURI"),
        operation_timeout=read_duration(_text(header, f"{WSMAN}OperationTimeout"), default=DEFAULT_TIMEOUT),
        max_envelope=_envelope_size(_text(header, f"{WSMAN}MaxEnvelopeSize")),
        session_id=_text(header, f"{_WSMV}SessionId"),
        selectors={
            selector.get("Name", ""): (selector.text or "").strip()
            for selector in header.iterfind(f"{WSMAN}SelectorSet/{WSMAN}Selector")
        },
        body=body,
    )


def _parse_xml(data: bytes) -> ET.Element:
    """Parse UTF-8 XML without document type: expat then has nothing to expand and nothing to fetch."""
    if b"<!DOCTYPE" in data or b"\x00" in data:
        raise faults.schema_violation("a document type or an encoding other than UTF-8")
    try:
        return ET.fromstring(data)  # noqa: S314  no document type can reach the parser, see above
    except (ET.ParseError, ValueError, LookupError) as error:
        raise faults.schema_violation(str(error)) from None


def _text(header: ET.Element, tag: str) -> str:
    return (header.findtext(tag) or "").strip()


def _envelope_size(text: str) -> int:
    if not text.isdecimal():
        return DEFAULT_ENVELOPE
    return min(int(text), LARGEST_ENVELOPE)


def read_duration(text: str | None, *, default: timedelta) -> timedelta:
    """Read an XML duration of days to seconds; anything else gives ``default``."""
    match = _DURATION.fullmatch((text or "").strip())
    if match is None or not any(match.groups()):
        return default
    days, hours, minutes, seconds = (float(group or 0) for group in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return default


def xml_duration(value: timedelta) -> str:
    """Write a duration as Windows writes a shell's timeouts: ``PT7200.000S``."""
    return f"PT{value.total_seconds():.3f}S"


def answer(request: Request, body: str) -> bytes:
    """Wrap ``body`` (XML text) as the answer to ``request``."""
    return _envelope(f"{request.action_uri}Response", request.message_id, body)


def fault_answer(message_id: str, fault: WSManFault, *, machine: str) -> bytes:
    """Write the fault that answers the request ``message_id``."""
    reason = escape(fault.reason)
    detail = f"<w:FaultDetail>{escape(fault.detail)}</w:FaultDetail>" if fault.detail else ""
    body = (
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if fault.sender else 'Receiver'}</s:Value>"
        f"<s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason><s:Detail>{detail}'
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"'
        f' Code="{fault.code}" Machine={quoteattr(machine)}><f:Message>{reason}</f:Message></f:WSManFault>'
        "</s:Detail></s:Fault>"
    )
    return _envelope(FAULT_ACTION, message_id, body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f"{_HEADER}<a:Action>{action}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
