// Field names of a collection and their ids: append-only, so that bytes written with an older dictionary are read with
// any newer one.
//
// Invariants: an id is a name's position; a dictionary is immutable, growth makes a new one; ids that a rolled-back
// transaction made die with its dictionary and are given out again.

/// An immutable list of names, each found by id in O(1) and by name through a hash table.
package final class NameDictionary: Sendable {
    /// At most so many names; further ones are written inline in the record.
    package static let countMax = 4096
    /// A longer name is written inline in the record.
    package static let nameBytesMax = 64

    package let names: [String]
    private let ids: [String: UInt16]

    package static let empty = NameDictionary([])

    /// `names` are distinct by their UTF-8 bytes.
    package init(_ names: [String]) {
        self.names = names
        // Swift's == on String is canonical equivalence; keys are compared as UTF-8 text elsewhere, so a name that is
        // only canonically equal to an earlier one keeps its own id and is found by a linear probe of `id(of:)`.
        var ids: [String: UInt16] = [:]
        ids.reserveCapacity(names.count)
        for (index, name) in names.enumerated() where ids[name] == nil {
            ids[name] = UInt16(index)
        }
        self.ids = ids
    }

    package var count: Int { names.count }

    /// The id of exactly this name (by bytes); nil where it isn't in the dictionary.
    package func id(of name: String) -> UInt16? {
        guard let found = ids[name] else { return nil }
        if names[Int(found)].utf8.elementsEqual(name.utf8) { return found }
        return names.firstIndex { $0.utf8.elementsEqual(name.utf8) }.map(UInt16.init)
    }

    /// The name with this id; nil for an id that no one gave out.
    package func name(of id: UInt16) -> String? {
        Int(id) < names.count ? names[Int(id)] : nil
    }

    /// This dictionary and `more` after it.
    package func appending(_ more: [String]) -> NameDictionary { NameDictionary(names + more) }
}
