"""The error tree. A message says what failed, which thing, what was expected, and the command that mends it.

    EunatoRagError
    ├── SettingsError           an environment variable or option that cannot be used
    ├── CorpusError             the corpus folder or its manifest
    │   ├── CorpusNotFound      no such folder
    │   ├── EmptyCorpus         a folder without one readable document
    │   └── ManifestError       sources.toml is not what it should be
    ├── UnreadableDocument      one file could not become a document; the others go on
    ├── DamagedPackage          an installed package is missing, or a file of it is not the one that was published
    ├── EmbeddingError          the embedding model
    │   ├── ModelNotFound       no weights under that name on this machine
    │   └── UnusableExport      no export, or one whose files changed or are of another version
    ├── IndexStoreError         the index folder
    │   ├── NoIndex             nothing was published yet
    │   ├── DamagedSnapshot     a file is missing or its bytes changed
    │   ├── IncompatibleIndex   built with another model, analyser or format
    │   ├── IndexBusy           another process is writing
    │   └── MilvusUnavailable   Milvus, where it is set: it cannot be reached, refuses, or takes too long
    ├── ClusterUnavailable      Ray, where it is asked for: no such cluster, it went away, or a machine of it is set up otherwise
    ├── GenerationError         the language model, where one is set; the answer then falls back to extraction
    ├── InvalidQuestion         a question or query of nothing, or far too long
    ├── InvalidText             a quotation, draft or saved answer that cannot be read as one
    │   └── UnknownStyle        no style of reference of that name
    ├── KeyFileError            the file of API keys cannot be used
    ├── JobConflict             a job cannot be what is asked of it: a key used twice, a process too many
    └── NotFound                no document, passage, snapshot or job of that id

No hits is a value, and "the corpus does not say" is an abstention: neither is an error.
"""


class EunatoRagError(Exception):
    """The root: everything this package raises on purpose."""


class SettingsError(EunatoRagError):
    """A setting that is misspelt, malformed or out of range."""


class CorpusError(EunatoRagError):
    """The corpus folder or its manifest cannot be used."""


class CorpusNotFound(CorpusError):
    """The corpus folder does not exist."""


class EmptyCorpus(CorpusError):
    """The corpus folder holds no document that could be read."""


class ManifestError(CorpusError):
    """The manifest, sources.toml, is malformed."""


class UnreadableDocument(EunatoRagError):
    """One file could not become a document."""


class DamagedPackage(EunatoRagError):
    """An installed package is missing, or a file of it is not the one that was published: the weights, the table of tokens."""


class EmbeddingError(EunatoRagError):
    """The embedding model could not be loaded or run."""


class ModelNotFound(EmbeddingError):
    """No weights under that name on this machine."""


class UnusableExport(EmbeddingError):
    """A model's export is missing, changed since it was written, or of another version of this package."""


class IndexStoreError(EunatoRagError):
    """The index folder cannot be used."""


class NoIndex(IndexStoreError):
    """Nothing was published in the index folder yet."""


class DamagedSnapshot(IndexStoreError):
    """A file of a snapshot is missing or its bytes changed."""


class IncompatibleIndex(IndexStoreError):
    """A snapshot was built with another model, analyser or format."""


class IndexBusy(IndexStoreError):
    """Another process is writing to the index folder."""


class MilvusUnavailable(IndexStoreError):
    """Milvus, where it is set to be searched, cannot be reached, refuses, or takes too long."""


class ClusterUnavailable(EunatoRagError):
    """A Ray cluster, where one is asked for, is not there, went away, or has a machine with another version or model."""


class GenerationError(EunatoRagError):
    """The language model could not be asked, or did not answer as it should."""


class InvalidQuestion(EunatoRagError):
    """A question or query of nothing, or far too long."""


class InvalidText(EunatoRagError):
    """A quotation, draft or saved answer of nothing, far too long, or not what it should be."""


class UnknownStyle(InvalidText):
    """No style of reference has that name."""


class KeyFileError(EunatoRagError):
    """The file of API keys is damaged or cannot be read; the service lets nobody in before it is mended."""


class JobConflict(EunatoRagError):
    """A job cannot be what is asked of it: its key was used for another, or another process does it."""


class NotFound(EunatoRagError):
    """No document, passage, snapshot or job of that id."""
