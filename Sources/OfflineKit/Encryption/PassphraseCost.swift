// What guessing a passphrase costs.

/// The parameters of Argon2id.
package struct PassphraseCost: Hashable, Sendable {
    /// How often the memory is passed over.
    package let passes: UInt32
    package let kibibytes: UInt32

    /// What a store is made with.
    package static let moderate = PassphraseCost(passes: 3, kibibytes: 256 << 10)
    /// What a store may ask for at most: bytes from a disk mustn't take all memory, or for ever.
    package static let most = PassphraseCost(passes: 16, kibibytes: 1 << 20)
    /// For tests, which derive many keys.
    package static let forTests = PassphraseCost(passes: 1, kibibytes: 8)

    package init(passes: UInt32, kibibytes: UInt32) {
        self.passes = passes
        self.kibibytes = kibibytes
    }

    /// Whether neither parameter is below the floor's or above `most`.
    func isAllowed(floor: PassphraseCost) -> Bool {
        floor.passes...max(floor.passes, Self.most.passes) ~= passes
            && floor.kibibytes...max(floor.kibibytes, Self.most.kibibytes) ~= kibibytes
    }
}
