// What is in a frame: shown, or only read for the names in it.
internal import OfflineBytes
internal import OfflineDocuments
internal import OfflineEngine

extension DumpContext {
    /// Shows a frame and all in it, and takes in the names that it tells.
    func show(_ header: FrameHeader, _ body: [UInt8], _ file: NumberedFile) throws {
        try emit(.frame(header))
        let start = header.position.offset + UInt64(FrameHeader.size)
        switch header.kind {
        case .commit, .stagedPart:
            try forEachOperation(body) { operation, offset in
                try show(operation, file, at: start + UInt64(offset))
            } failed: { reason, offset in
                try problem(reason, file, at: start + UInt64(offset))
            }
        case .catalog:
            learnNames(header, body, before: .max)
            guard let catalog = try? Self.catalog(body) else {
                return try problem("the catalog is damaged", file, at: start)
            }
            try show(catalog, file, header.position)
        case .adoption:
            learnNames(header, body, before: .max)
            guard let adoption = Self.adoption(body) else {
                return try problem("the list of adopted files is damaged", file, at: start)
            }
            let names = adoption.files.map {
                "\(FileNames.name($0.number, $0.kind)), \(Figures.counted($0.length, "byte"))"
            }
            try emit(
                .note(
                    DumpPlace(file: file.name, offset: start),
                    "takes into the store: \(names.joined(separator: "; "))"))
        }
    }

    /// Shows a catalog's content.
    func show(_ catalog: Catalog, _ file: NumberedFile, _ position: LogPosition) throws {
        let collections = catalog.collections.map { CollectionSummary($0) }
        try emit(.catalog(catalog, collections, position))
        for problem in collections.compactMap(\.problem) {
            try self.problem(problem, file, at: position.offset)
        }
    }

    /// Shows an operation.
    func show(_ operation: StoredOperation, _ file: NumberedFile, at offset: UInt64) throws {
        let header = operation.header
        let content: OperationView.Content
        var problem: String?
        switch header.kind {
        case .put:
            let record = record(of: operation, file, at: offset)
            if case .unreadable(let reason) = record { problem = reason }
            content = .put(key: KeyView(operation.key), record: record)
        case .remove:
            content = .remove(key: KeyView(operation.key))
        case .names:
            learnNames(operation)
            let names = try? operation.names()
            if names == nil { problem = "the field names are damaged" }
            content = .names(names ?? [])
        case .clear:
            content = .clear
        case .dictionary:
            content = .dictionary(bytes: header.payloadLength)
        }
        try emit(
            .operation(
                OperationView(
                    place: DumpPlace(file: file.name, offset: offset), operation: header,
                    collection: directory.name(of: header.collection), content: content)))
        if let problem { try self.problem(problem, file, at: offset) }
    }

    // MARK: - Names

    /// Takes in the names that a frame's operations tell which begin before `end`.
    func learnNames(_ header: FrameHeader, _ body: [UInt8], before end: UInt64) {
        let start = header.position.offset + UInt64(FrameHeader.size)
        switch header.kind {
        case .catalog:
            if let catalog = try? Self.catalog(body) { directory.beginLog(at: catalog) }
        case .commit, .stagedPart:
            forEachOperation(body) { operation, offset in
                if start + UInt64(offset) < end { learnNames(operation) }
            } failed: { _, _ in
            }
        case .adoption:
            for collection in Self.adoption(body)?.collections ?? [] {
                directory.extend(collection.id, with: collection.names)
            }
        }
    }

    func learnNames(_ operation: StoredOperation) {
        guard operation.header.kind == .names, let names = try? operation.names() else { return }
        directory.extend(operation.header.collection, with: names)
    }

    // MARK: - Bodies

    /// What an adoption frame's body says; nil for bytes that are none.
    static func adoption(_ body: [UInt8]) -> Adoption? {
        try? unsafe body.withBytes { bytes throws(ByteError) in try unsafe Adoption.decoded(bytes) }
    }

    /// Calls `body` with each operation and its offset in a frame's body; `failed` once, where none can be read any more.
    func forEachOperation(
        _ bytes: [UInt8], _ body: (StoredOperation, Int) throws -> Void,
        failed: (String, Int) throws -> Void
    ) rethrows {
        var offset = 0
        while offset < bytes.count {
            let operation: StoredOperation
            do throws(Unreadable) {
                operation = try StoredOperation(bytes, at: offset)
            } catch {
                return try failed(error.reason, offset)
            }
            try body(operation, offset)
            offset += operation.header.paddedLength
        }
    }
}
