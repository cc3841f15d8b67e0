// The public values live in a lower module; an application imports OfflineKit alone.
@_exported public import OfflineDocuments
