// A collection's schema (`CollectionSchema.validation`) as writes ask it, and what they throw.
internal import OfflineBytes
internal import OfflineDocuments

/// The schema that a collection's records must fulfil.
final class RecordSchema: Sendable {
    let program: SchemaProgram
    private let collection: String
    private let sensitive: [FieldPath]
    /// For records whose names are all inline.
    private let inline: BoundSchema
    /// The matchers of the schema's patterns, when nobody has them: what they found out about texts is kept from record to record.
    private let patterns = Protected<PatternScratch?>(nil)

    /// Throws `.invalidOptions` for what is no schema that the store knows.
    init(
        _ schema: Document, collection: String, sensitive: [String]
    ) throws(OfflineError) {
        program = try SchemaProgram(schema)
        self.collection = collection
        var paths: [FieldPath] = []
        for path in sensitive { paths.append(try FieldPath(path)) }
        self.sensitive = paths
        inline = BoundSchema(program, in: .empty)
    }

    /// What in the record breaks the schema; nil where nothing does. `trustsSealed`: what is sealed in it was held against the schema
    /// when it was written. Throws `.locked` where the answer would take opening it.
    @unsafe
    func failure(
        in record: RecordView, _ bound: BoundSchema, key: [UInt8], trustsSealed: Bool = true,
        limits: SchemaEvaluation.Limits = SchemaEvaluation.Limits()
    ) throws(OfflineError) -> SchemaFailure? {
        var evaluation = unsafe SchemaEvaluation(
            program, bound, record.names,
            patterns: program.patterns.isEmpty ? PatternScratch() : takePatterns(),
            trustsSealed: sensitive.isEmpty ? nil : trustsSealed, limits: limits)
        defer {
            if !program.patterns.isEmpty {
                let used = evaluation.patterns
                patterns.withLock { $0 = used }
            }
        }
        do throws(SchemaEvaluation.Stop) {
            return try unsafe evaluation.accepts(record.root) ? nil : evaluation.failure
        } catch {
            throw self.error(error, limits, key)
        }
    }

    /// The same for a document that is to be sealed: all in it is looked at as it is. (Its names are kept out of the collection's
    /// dictionary: those in sealed values are known to nobody.)
    func failure(in document: Document, key: [UInt8]) throws(OfflineError) -> SchemaFailure? {
        var encoder = RecordEncoder.inliningNames
        let record = try encoder.encode(document)
        return try unsafe record.span.bytes.withUnsafeBytes { bytes throws(OfflineError) in
            try unsafe failure(in: RecordView(bytes, names: .empty), inline, key: key)
        }
    }

    private func takePatterns() -> PatternScratch {
        patterns.withLock { $0.take() } ?? PatternScratch()
    }

    // MARK: Errors

    /// What a write that the failure forbids throws.
    func violation(_ failure: SchemaFailure, key: [UInt8]) -> OfflineError {
        OfflineError(
            .validationFailed, message(failure), collection: collection,
            key: try? KeyDecoder.value(key))
    }

    func message(_ failure: SchemaFailure) -> String {
        failure.message(program, sensitive: sensitive)
    }

    private func error(
        _ stop: SchemaEvaluation.Stop, _ limits: SchemaEvaluation.Limits, _ key: [UInt8]
    ) -> OfflineError {
        let code: OfflineError.Code = stop == .sealed ? .locked : .validationFailed
        let message =
            switch stop {
            case .sealed:
                "the store is locked, and whether the schema allows the record depends on a sensitive "
                    + "field of it; unlock() the store"
            case .tooManySteps:
                "holding the record against the schema takes more than \(limits.stepsMax) steps; "
                    + "make the schema simpler, or the record smaller"
            case .tooDeep:
                "holding the record against the schema goes deeper than \(limits.depthMax) schemas; "
                    + "make the schema simpler, or the record flatter"
            }
        return OfflineError(
            code, message, collection: collection, key: try? KeyDecoder.value(key))
    }
}
