"""Small files built by hand: valid, damaged and malicious ones."""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

from PIL import Image

A4 = (595, 842)


def pdf(
    *texts: str,
    size: tuple[float, float] = A4,
    rotate: int = 0,
    encrypt: bool = False,
    crop: tuple[float, float, float, float] | None = None,
    content: bytes | None = None,
    resources: bytes = b"",
    extra: Sequence[bytes] = (),
) -> bytes:
    """Return a PDF with a page for each text, set in 24 pt Helvetica with its baseline at (72, height - 96)."""
    objects = [b"", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"]
    kids = []
    for text in texts:
        shown = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("latin-1")
        operators = content or b"BT /F 24 Tf 72 %d Td (%s) Tj ET" % (size[1] - 96, shown)
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(operators), operators))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %g %g]/CropBox[%g %g %g %g]/Rotate %d/Contents %d 0 R"
            b"/Resources<</Font<</F 3 0 R>>%s>>>>" % (*size, *(crop or (0, 0, *size)), rotate, len(objects), resources)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[0] = b"<</Type/Catalog/Pages 2 0 R>>"
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    objects.extend(extra)
    return assembled(objects, encrypt=encrypt)


def with_giant_page(content: bytes, *, page: int) -> bytes:
    """Return the same PDF of A4 pages with one page too large to render. Its length and all offsets stay the same."""
    normal, giant = b"Box[0 0 595 842]", b"Box[0 0 99999 9]"
    first, *rest = content.split(b"/Media")
    rest[page - 1] = rest[page - 1].replace(normal, giant)
    return b"/Media".join([first, *rest])


def assembled(objects: Sequence[bytes], *, encrypt: bool = False) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    encryption = b""
    if encrypt:
        # No password matches these.
        encryption = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>/ID[<00><00>]" % (b"11" * 32, b"22" * 32)
    out += b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, encryption, start)
    return bytes(out)


def pdf_with_bloated_page(megabytes: int) -> bytes:
    """Return a PDF whose page description decompresses to this many megabytes of spaces."""
    packed = _packed(b" " * 1_000_000, times=megabytes)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 500 500]/Contents 4 0 R/Resources<<>>>>"
    content = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed)
    tree = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    return assembled([b"<</Type/Catalog/Pages 2 0 R>>", tree, page, content], encrypt=False)


def _packed(piece: bytes, *, times: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(piece) for _ in range(times)) + packer.flush()


def endless_pdf(rounds: int = 9) -> bytes:
    """Return a PDF of forms that draw each other ten times: 10 ** rounds shapes from a few hundred bytes."""
    forms = []
    for number in range(rounds):
        last = number == rounds - 1
        operators = b"0 0 500 500 re f " if last else b"/X Do " * 10
        inner = b"" if last else b"/Resources<</XObject<</X %d 0 R>>>>" % (7 + number)
        forms.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 500 500]%s/Length %d>>stream\n%s\nendstream"
            % (inner, len(operators), operators)
        )
    return pdf("", content=b"/X Do", resources=b"/XObject<</X 6 0 R>>", extra=forms)


def picture(form: str, *frames: Image.Image, size: tuple[int, int] = (40, 20), **options: object) -> bytes:
    out = io.BytesIO()
    first, *rest = frames or (Image.new("RGB", size, "red"),)
    if rest:
        options |= {"save_all": True, "append_images": rest}
    first.save(out, form, **options)
    return out.getvalue()


def huge_png(side: int) -> bytes:
    """Return a valid PNG of side x side black pixels without ever having them in memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packed = _packed(bytes(1 + (side + 7) // 8), times=side)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def zipped(*entries: tuple[str, bytes], packed: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def office_xml(main: str) -> bytes:
    return zipped(("[Content_Types].xml", b"<Types/>"), ("_rels/.rels", b"<x/>"), (main, b"<x/>"))


_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument"


def _package(parts: dict[str, tuple[str, str]], relations: dict[str, dict[str, tuple[str, str]]]) -> bytes:
    """Return an Office Open XML file: parts by name with type and content, and relations by the part that has them."""
    types = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, (kind, _) in parts.items())
    known = (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>'
    )
    entries = [("[Content_Types].xml", known.encode())]
    for place, targets in relations.items():
        rows = "".join(
            f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
            for key, (kind, target) in targets.items()
        )
        entries.append((place, f'<Relationships xmlns="{_PACKAGE}/relationships">{rows}</Relationships>'.encode()))
    return zipped(*entries, *((name, content.encode()) for name, (_, content) in parts.items()), packed=True)


def docx(text: str, *, document: bytes | None = None) -> bytes:
    body = f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>"
    whole = f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">{body}</w:document>'
    return _package(
        {"word/document.xml": (f"{_TYPES}.wordprocessingml.document.main+xml", (document or whole.encode()).decode())},
        {"_rels/.rels": {"r1": ("officeDocument", "word/document.xml")}},
    )


def xlsx(text: str) -> bytes:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    book = f'<workbook {main} xmlns:r="{_OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'
    cell = f'<c r="A1" t="inlineStr"><is><t>{text}</t></is></c>'
    sheet = f'<worksheet {main}><sheetData><row r="1">{cell}</row></sheetData></worksheet>'
    return _package(
        {
            "xl/workbook.xml": (f"{_TYPES}.spreadsheetml.sheet.main+xml", book),
            "xl/worksheets/sheet1.xml": (f"{_TYPES}.spreadsheetml.worksheet+xml", sheet),
        },
        {
            "_rels/.rels": {"r1": ("officeDocument", "xl/workbook.xml")},
            "xl/_rels/workbook.xml.rels": {"r1": ("worksheet", "worksheets/sheet1.xml")},
        },
    )


def pptx(*texts: str) -> bytes:
    """A slide for each text, without master and layout, which readers do without."""
    names = (
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        f'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="{_OFFICE}"'
    )
    numbers = range(1, len(texts) + 1)
    ids = "".join(f'<p:sldId id="{255 + number}" r:id="s{number}"/>' for number in numbers)
    show = (
        f'<p:presentation {names}><p:sldIdLst>{ids}</p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/></p:presentation>'
    )
    parts = {"ppt/presentation.xml": (f"{_TYPES}.presentationml.presentation.main+xml", show)}
    for number, text in zip(numbers, texts, strict=True):
        group = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
        box = '<a:xfrm><a:off x="900000" y="900000"/><a:ext cx="7000000" cy="900000"/></a:xfrm>'
        shape = (
            '<p:sp><p:nvSpPr><p:cNvPr id="2" name="t"/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr>'
            f'<p:spPr>{box}<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr>'
            f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        )
        slide = f"<p:sld {names}><p:cSld><p:spTree>{group}{shape}</p:spTree></p:cSld></p:sld>"
        parts[f"ppt/slides/slide{number}.xml"] = (f"{_TYPES}.presentationml.slide+xml", slide)
    return _package(
        parts,
        {
            "_rels/.rels": {"r1": ("officeDocument", "ppt/presentation.xml")},
            "ppt/_rels/presentation.xml.rels": {
                f"s{number}": ("slide", f"slides/slide{number}.xml") for number in numbers
            },
        },
    )


def odt(text: str, *, picture_at: str = "", encrypted: bool = False) -> bytes:
    """Return a text document, optionally with an image that it links to."""
    family = "urn:oasis:names:tc:opendocument:xmlns"
    names = {
        "office": f"{family}:office:1.0",
        "text": f"{family}:text:1.0",
        "draw": f"{family}:drawing:1.0",
        "svg": f"{family}:svg-compatible:1.0",
        "xlink": "http://www.w3.org/1999/xlink",
    }
    known = " ".join(f'xmlns:{name}="{address}"' for name, address in names.items())
    frame = (
        '<draw:frame text:anchor-type="as-char" svg:width="5cm" svg:height="5cm">'
        f'<draw:image xlink:href="{picture_at}" xlink:type="simple"/></draw:frame>'
    )
    content = (
        f'<office:document-content {known} office:version="1.2"><office:body><office:text>'
        f"<text:p>{frame if picture_at else ''}{text}</text:p>"
        "</office:text></office:body></office:document-content>"
    )
    mimetype = "application/vnd.oasis.opendocument.text"
    locked = "<manifest:encryption-data/>" if encrypted else ""
    manifest = (
        f'<manifest:manifest xmlns:manifest="{family}:manifest:1.0" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mimetype}"/>'
        f'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">{locked}'
        "</manifest:file-entry></manifest:manifest>"
    )
    return zipped(
        ("mimetype", mimetype.encode()), ("content.xml", content.encode()), ("META-INF/manifest.xml", manifest.encode())
    )


def zip_bomb(megabytes: int) -> bytes:
    """Return a document of this many megabytes of spaces, with a truthful table of contents."""
    spaces = b" " * (megabytes * 1024 * 1024)
    return zipped(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", spaces), packed=True)


def lying_zip(megabytes: int = 2) -> bytes:
    """Return the same document with a table of contents, and a header of the entry, that declare a kilobyte."""
    actual, declared = struct.pack("<L", megabytes * 1024 * 1024), struct.pack("<L", 1024)
    content = zip_bomb(megabytes)
    assert content.count(actual) == 2
    return content.replace(actual, declared)


def locked_xls() -> bytes:
    """Return an Excel workbook that starts like an encrypted one."""
    content = bytearray(ole2("Workbook"))
    offset = content.index("Workbook".encode("utf-16-le"))
    sector = len(content) // 512 - 1
    content[offset + 116 : offset + 124] = struct.pack("<LL", sector, 4096)
    records = struct.pack("<HH", 0x0809, 4) + bytes(4) + struct.pack("<HH", 0x002F, 6) + bytes(6)
    return bytes(content) + records.ljust(4096, b"\0")


def open_document(word: str) -> bytes:
    mimetype = f"application/vnd.oasis.opendocument.{word}".encode()
    return zipped(("mimetype", mimetype), ("content.xml", b"<x/>"))


def ole2(*streams: str) -> bytes:
    """Return an OLE2 container with this directory (in its second sector) and nothing else."""
    names = ["Root Entry", *streams]
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[30:32] = struct.pack("<H", 9)
    header[48:52] = struct.pack("<I", 1)
    header[76:80] = struct.pack("<I", 0)
    count = -(-len(names) // 4)
    table = [0xFFFFFFFD, *range(2, count + 1), 0xFFFFFFFE]
    fat = struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff")
    directory = b""
    for name in names:
        encoded = name.encode("utf-16-le")
        directory += encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded) + 2) + bytes(62)
    return bytes(header) + fat + directory.ljust(count * 512, b"\0")
