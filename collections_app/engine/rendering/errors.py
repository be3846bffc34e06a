"""Errors about files and the rendering of their pages."""

from paliapi.errors import Invalid, TooLarge, Unavailable


class FileEmpty(Invalid):
    code = "file_empty"
    title = "The file is empty."


class UnsupportedType(Invalid):
    code = "unsupported_type"
    title = "This file type is not supported."


class FileDamaged(Invalid):
    code = "file_damaged"
    title = "The file is damaged and cannot be read."


class FileExpandsTooMuch(TooLarge):
    code = "file_expands_too_much"
    title = "The file is too large when decompressed."


class FileEncrypted(Invalid):
    code = "file_encrypted"
    title = "The file is protected by a password; send it without one."


class FileWithoutPages(Invalid):
    code = "file_without_pages"
    title = "The file has no pages."


class TooManyPages(TooLarge):
    code = "too_many_pages"
    title = "The file has too many pages."


class PageTooLarge(TooLarge):
    code = "page_too_large"
    title = "A page of the file is too large to render."


class RenderTookTooLong(TooLarge):
    code = "render_took_too_long"
    title = "Rendering the pages of the file took too long."


class RenderTookTooMuchMemory(TooLarge):
    code = "render_took_too_much_memory"
    title = "Rendering the pages of the file took too much memory."


class RenderCrashed(Invalid):
    code = "render_crashed"
    title = "Rendering the pages of the file failed; the file is damaged or too complex."


class ConverterMissing(Invalid):
    code = "converter_missing"
    title = "Office files are not supported here, because LibreOffice is not installed; send a PDF."


class ConversionFailed(Invalid):
    code = "conversion_failed"
    title = "LibreOffice could not convert the file; it is damaged or too complex."


class SandboxIncomplete(Unavailable):
    code = "sandbox_incomplete"
    title = "Files are not opened on this server, because it cannot confine the processes that do so; ask its operator."


class RenderUnavailable(Unavailable):
    code = "render_unavailable"
    title = "The file cannot be rendered at the moment; try again."
