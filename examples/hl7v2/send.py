"""Send a CDA by HL7 v2 (ORU^R01 over MLLP and TLS): python send.py localhost 2575 keys document.xml

`keys` is the folder that `ambroise pki issue` wrote. The message says what the header of the document says. Only the
standard library is needed.
"""

import base64
import socket
import ssl
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

CDA = {"c": "urn:hl7-org:v3"}
INS = "1.2.250.1.213.1.4."
PROFESSIONALS = "1.2.250.1.71.4.2.1"
FLAGS = {"MASQUE_PS": "N", "INVISIBLE_PATIENT": "N", "INVISIBLE_REP_LEGAUX": "N", "DESTDMP": "Y", "DESTMSSANTEPS": "N"}


def main(host: str, port: int, keys: Path, file: Path) -> None:
    """Send one document, and print what is answered, a segment a line."""
    message = message_of(file.read_bytes())
    with connect(host, port, keys) as connection:
        print(exchange(connection, message.encode()).decode().replace("\r", "\n"), end="")


def connect(host: str, port: int, keys: Path) -> ssl.SSLSocket:
    """A connection that shows the certificate of the structure's software."""
    context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
    context.load_cert_chain(keys / "client.pem", keys / "client.key")
    return context.wrap_socket(socket.create_connection((host, port), timeout=60), server_hostname=host)


def exchange(connection: socket.socket, message: bytes) -> bytes:
    """Send a message in its frame (VT … FS CR), and read the answer out of its own."""
    connection.sendall(b"\x0b" + message + b"\x1c\r")
    answer = b""
    while not answer.endswith(b"\x1c\r"):
        received = connection.recv(65536)
        if not received:
            sys.exit("The connection was closed without an answer: send the message again.")
        answer += received
    return answer[1:-2]


def message_of(document: bytes) -> str:
    """The message: who, whom, and the document in base64 with its flags."""
    header = ElementTree.fromstring(document)  # noqa: S314 - a document of our own.
    patient = header.find("c:recordTarget/c:patientRole", CDA)
    who = header.find("c:author/c:assignedAuthor", CDA)
    if patient is None or who is None:
        sys.exit("This is no CDA: it names no patient, or no author.")
    ins = next(one for one in patient.iterfind("c:id", CDA) if str(one.get("root")).startswith(INS))
    rpps = next(one for one in who.iterfind("c:id", CDA) if one.get("root") == PROFESSIONALS)
    own, kind = header.find("c:code", CDA), patient.find("c:patient", CDA)
    name = {one.get("qualifier"): one.text or "" for one in kind.iterfind("c:name/*", CDA)}
    family = next(one.text or "" for one in kind.iterfind("c:name/c:family", CDA) if one.get("qualifier") == "BR")
    given = next((one.text or "" for one in kind.iterfind("c:name/c:given", CDA) if one.get("qualifier") == "BR"), "")
    born = kind.find("c:birthTime", CDA).get("value", "")[:8]
    sex = kind.find("c:administrativeGenderCode", CDA).get("code", "")
    type_ = f"{own.get('code')}^{escaped(own.get('displayName', ''))}^LN"
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    lines = [
        f"MSH|^~\\&|SIL|LABORATOIRE|AMBROISE||{now}||ORU^R01^ORU_R01|{uuid.uuid4().hex[:20]}|P|2.5"
        "|||||FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2",
        f"PID|||{ins.get('extension')}^^^ASIP-SANTE-INS-NIR&{ins.get('root')}&ISO^INS||"
        f"{escaped(family)}^{escaped(given or name.get(None, ''))}^^^^^L||{born}|{sex}" + "|" * 24 + "VALI",
        f"OBR|1|||{type_}",
        f"OBX|1|ED|{type_}||^TEXT^XML^Base64^{base64.b64encode(document).decode()}||||||F",
        f"PRT||UC||SB^^participation|{rpps.get('extension')}^^^^^^^^ASIP-SANTE-PS&{PROFESSIONALS}&ISO^D^^^IDNPS",
    ]
    for number, (flag, value) in enumerate(FLAGS.items(), start=2):
        lines.append(f"OBX|{number}|CE|{flag}^^MetaDMPMSS||{value}^^expandedYes-NoIndicator||||||F")
    return "\r".join(lines) + "\r"


def escaped(text: str) -> str:
    """A text without the signs that separate the parts of a message."""
    for sign, name in (("\\", "E"), ("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        text = text.replace(sign, f"\\{name}\\")
    return text


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
