// Magic numbers and versions: the first thing that is read of anything.

/// What the first bytes of each structure must be. All are frozen: a change of meaning takes a new version.
package enum FormatVersion {
    /// The version this code writes, and the newest that it reads.
    package static let current: UInt32 = 1

    /// First eight bytes of a log file: "OFFLOGF1".
    package static let logFileMagic: UInt64 = 0x3146_474F_4C46_464F
    /// First eight bytes of a node segment: "OFFTREE1".
    package static let treeFileMagic: UInt64 = 0x3145_4552_5446_464F
    /// First eight bytes of a superblock slot: "OFFSUPR1".
    package static let superblockMagic: UInt64 = 0x3152_5055_5346_464F
    /// First four bytes of a frame: "OFRM".
    package static let frameMagic: UInt32 = 0x4D52_464F
}
