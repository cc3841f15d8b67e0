// Changes as objects to show: a record's latest one, and what is known of a record's changes (FORMAT.md, "Changes"); and what is
// known of its uses ("Access").
internal import Foundation
internal import OfflineDocuments
internal import OfflineKit

extension RecordStamp {
    var described: Document {
        var result: Document = [
            "number": .int(Int64(clamping: number)), "operation": isCreation ? "create" : "update",
            "time": .date(Date(timeIntervalSince1970: Double(time) / 1_000)),
            "isLocal": .bool(isLocal),
        ]
        if let firstNumber { result["firstNumber"] = .int(Int64(clamping: firstNumber)) }
        if let origin { result["origin"] = .int(Int64(clamping: origin)) }
        if let sequence { result["sequence"] = .int(Int64(clamping: sequence)) }
        return result
    }
}

extension ChangeEntry {
    /// `record` reads a record of the collection that the changes belong to.
    func described(
        record: ([UInt8]) throws(OfflineError) -> Document
    ) throws(OfflineError) -> Document {
        switch self {
        case .synchronized(let number):
            return ["state": "synchronized", "number": .int(Int64(clamping: number))]
        case .horizon(let sequence):
            return ["state": "horizon", "sequence": .int(Int64(clamping: sequence))]
        case .base(let base):
            return [
                "state": "changed", "baseSequence": .int(Int64(clamping: base.sequence)),
                "base": .object(try record(base.record)),
            ]
        case .tombstone(let tombstone):
            var result: Document = [
                "state": "deleted", "number": .int(Int64(clamping: tombstone.number)),
                "time": .date(Date(timeIntervalSince1970: Double(tombstone.time) / 1_000)),
                "isPending": .bool(tombstone.isPending),
            ]
            if let first = tombstone.firstNumber {
                result["firstNumber"] = .int(Int64(clamping: first))
            }
            if let origin = tombstone.origin { result["origin"] = .int(Int64(clamping: origin)) }
            if let sequence = tombstone.sequence {
                result["sequence"] = .int(Int64(clamping: sequence))
            }
            if let base = tombstone.base {
                result["baseSequence"] = .int(Int64(clamping: base.sequence))
                result["base"] = .object(try record(base.record))
            }
            return result
        }
    }
}

extension AccessEntry {
    var described: Document {
        [
            "created": .int(Int64(clamping: created)),
            "written": .date(Date(timeIntervalSince1970: Double(written) / 1_000)),
            "used": .int(Int64(clamping: used)), "count": .int(Int64(clamping: count)),
            "isPending": .bool(isPending),
        ]
    }
}
