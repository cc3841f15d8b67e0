// The document that every store holds: ten fields, about 350 bytes as JSON.

/// What the application has in hand. Each store gets it in its own best form and gives it back as this.
struct Person: Codable, Equatable, Sendable {
    var id: String
    var name: String
    var email: String
    var role: String
    var age: Int
    var score: Double
    var active: Bool
    var city: String
    /// Milliseconds since 1970.
    var createdAt: Int
    var bio: String
}

/// What a store answered, folded into one word in the order of the answers. Cheap, so that it costs all stores
/// next to nothing: it takes the lengths of strings, not their bytes (whole documents are compared apart).
struct Digest: Equatable, Sendable {
    private(set) var word: UInt64 = 0

    @inline(__always)
    mutating func add(_ bits: UInt64) { word = (word &* 0x100_0000_01B3) ^ bits }

    @inline(__always)
    mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }

    @inline(__always)
    mutating func add(_ number: Double) { add(number.bitPattern) }

    @inline(__always)
    mutating func add(_ text: String) { add(text.utf8.count) }

    mutating func add(_ person: Person) {
        add(person.id)
        add(person.name)
        add(person.email)
        add(person.role)
        add(person.age)
        add(person.score)
        add(person.active ? 1 : 0)
        add(person.city)
        add(person.createdAt)
        add(person.bio)
    }
}
