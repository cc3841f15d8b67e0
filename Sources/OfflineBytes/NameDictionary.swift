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

    /// The names with their hash table, to be copied and grown.
    package let table: NameTable

    package static let empty = NameDictionary(NameTable())

    package init(_ table: NameTable) { self.table = table }

    /// `names` are distinct by their UTF-8 bytes.
    package convenience init(_ names: [String]) { self.init(NameTable(names)) }

    /// The names in the order of their ids.
    package var names: [String] { table.names }

    package var count: Int { table.count }

    /// The id of exactly this name (by bytes); nil where it isn't in the dictionary.
    package func id(of name: String) -> UInt16? { table.id(of: name) }

    /// The name with this id; nil for an id that no one gave out.
    package func name(of id: UInt16) -> String? {
        Int(id) < table.count ? table.names[Int(id)] : nil
    }

    /// This dictionary and `more` after it.
    package func appending(_ more: [String]) -> NameDictionary {
        var table = table
        for name in more { table.append(name) }
        return NameDictionary(table)
    }

    /// This dictionary and names after it that a file holds; nil for names that no writer gives out: too many, one too
    /// long, or one that is there already.
    package func appending(stored more: [String]) -> NameDictionary? {
        var table = table
        guard table.count + more.count <= Self.countMax else { return nil }
        for name in more {
            guard name.utf8.count <= Self.nameBytesMax, table.id(of: name) == nil else {
                return nil
            }
            table.append(name)
        }
        return NameDictionary(table)
    }

    /// Whether every id of this dictionary means the same name in `other`.
    package func isPrefix(of other: NameDictionary) -> Bool {
        self === other || table.isPrefix(of: other.table)
    }
}
