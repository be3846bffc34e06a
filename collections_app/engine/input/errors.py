"""Errors about names, metadata, filters and base64 in a request."""

from paliapi.errors import Invalid, TooLarge


class NameInvalid(Invalid):
    code = "name_invalid"
    title = "Invalid name."


class NameReserved(Invalid):
    code = "name_reserved"
    title = "This name is reserved by the API."


class Base64Invalid(Invalid):
    code = "base64_invalid"
    title = "Invalid base64; use the standard alphabet."


class MetadataInvalid(Invalid):
    code = "metadata_invalid"
    title = "The metadata cannot be stored."


class MetadataTooLarge(TooLarge):
    code = "metadata_too_large"
    title = "The metadata is too large."


class FilterInvalid(Invalid):
    code = "filter_invalid"
    title = "Invalid filter."
