// JSON lines into a collection, batch by batch. Each batch is one transaction: after a crash or an error it is there whole
// or not at all. A line that is no record, or that the store refuses, is left out and reported with its number.
internal import Foundation
internal import OfflineDocuments
internal import OfflineKit

/// A line that was left out.
struct RefusedLine: Equatable {
    let number: Int
    let reason: String
}

/// Imports lines.
struct Importer {
    private let store: OfflineStore
    private let collection: String
    private let batchCount: Int
    private let isUpsert: Bool
    /// A batch ends early when its lines hold so many bytes.
    private static let batchBytesMax = 8 << 20

    /// Records that are in the store.
    private(set) var importedCount = 0
    private(set) var refusedCount = 0
    private let report: (RefusedLine) throws -> Void

    /// `report` hears of every line that is left out.
    init(
        _ store: OfflineStore, collection: String, batchCount: Int, isUpsert: Bool,
        report: @escaping (RefusedLine) throws -> Void
    ) {
        self.store = store
        self.collection = collection
        self.batchCount = batchCount
        self.isUpsert = isUpsert
        self.report = report
    }

    private struct Record {
        let line: Int
        let document: Document
    }

    /// What is written, or refused, together.
    private struct Batch {
        var records: [Record] = []
        var refused: [RefusedLine] = []
        var byteCount = 0
    }

    /// Imports all lines; `progress` is called after each batch.
    mutating func run(
        _ lines: inout LineReader, progress: (LineReader, Importer) throws -> Void
    ) async throws {
        var batch = Batch()
        while let line = try lines.next() {
            parse(line, lines.number, &batch)
            if max(batch.records.count, batch.refused.count) >= batchCount
                || batch.byteCount >= Self.batchBytesMax
            {
                try await finish(&batch)
                try progress(lines, self)
            }
        }
        try await finish(&batch)
        try progress(lines, self)
    }

    /// Adds the line's record to the batch, unless it is empty or no record.
    private func parse(_ line: LineReader.Line, _ number: Int, _ batch: inout Batch) {
        guard case .text(let text) = line else {
            let reason = "the line is over \(LineReader.lineBytesMax >> 20) MiB"
            return batch.refused.append(RefusedLine(number: number, reason: reason))
        }
        let blanks: [UInt8] = [0x09, 0x0D, 0x20]
        if text.allSatisfy(blanks.contains) { return }
        do throws(OfflineError) {
            let document = try Document(extendedJSON: Data(text))
            batch.records.append(Record(line: number, document: document))
            batch.byteCount += text.count
        } catch {
            batch.refused.append(RefusedLine(number: number, reason: error.message))
        }
    }

    /// Writes the batch, reports what was refused, and empties it.
    private mutating func finish(_ batch: inout Batch) async throws {
        if !batch.records.isEmpty {
            let refused = try await write(batch.records)
            importedCount += batch.records.count - refused.count
            batch.refused += refused
        }
        for line in batch.refused.sorted(by: { $0.number < $1.number }) {
            refusedCount += 1
            try report(line)
        }
        batch = Batch()
    }

    /// Writes records in one transaction; the lines that the store refused.
    private func write(_ records: [Record]) async throws -> [RefusedLine] {
        do {
            return try await store.transaction([collection]) { transaction in
                var refused: [RefusedLine] = []
                for record in records {
                    do {
                        if isUpsert {
                            try await transaction.upsert(collection, record.document)
                        } else {
                            try await transaction.create(collection, record.document)
                        }
                    } catch let error as OfflineError where error.isAboutTheRecord {
                        refused.append(RefusedLine(number: record.line, reason: error.description))
                    }
                }
                return refused
            }
        } catch {
            let first = records.first?.line ?? 0
            let last = records.last?.line ?? 0
            throw ImportStopped(lines: first...max(first, last), importedCount, error)
        }
    }
}

extension OfflineError {
    /// Whether the record is to blame, and the next one may be fine.
    fileprivate var isAboutTheRecord: Bool {
        [.invalidDocument, .alreadyExists, .uniqueViolation, .validationFailed].contains(code)
    }
}

/// The store failed. Nothing of the batch is in it.
struct ImportStopped: Error, CustomStringConvertible {
    let description: String

    init(lines: ClosedRange<Int>, _ importedCount: Int, _ error: any Error) {
        description =
            "nothing of lines \(lines.lowerBound) to \(lines.upperBound) was imported: \(error)\n"
            + "\(Figures.counted(importedCount, "record")) before them are in the store"
    }
}
