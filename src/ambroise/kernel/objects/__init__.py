"""The contents of documents: packed, under the key of their citizen, in the database or in an object store."""

from ambroise.kernel.objects.blobs import INLINE_LIMIT, BlobInfo, Blobs, BlobStream
from ambroise.kernel.objects.stores import make_durable, open_store

__all__ = ["INLINE_LIMIT", "BlobInfo", "BlobStream", "Blobs", "make_durable", "open_store"]
