// A read-only map of a file's first bytes.
//
// Shared, so that bytes written later with `pwrite` are seen; never writable. The length is checked against the size
// when it is made: a file that somebody shortens afterwards is a SIGBUS on access, the documented exception.
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Mapped memory, unmapped when the object dies.
@safe
final class MappedFile: FileMap, @unchecked Sendable {
    // @unchecked: the address and length never change, and nobody writes through them.
    let bytes: UnsafeRawBufferPointer

    /// Maps the first `length` bytes of a descriptor, which may be closed afterwards.
    init(_ descriptor: Int32, length: Int, path: String) throws(FileSystemError) {
        guard length > 0 else {
            unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = unsafe mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw FileSystemError(.map, path, errno)
        }
        unsafe bytes = UnsafeRawBufferPointer(start: address, count: length)
    }

    deinit {
        guard let address = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress) else {
            return
        }
        unsafe munmap(address, bytes.count)
    }
}
