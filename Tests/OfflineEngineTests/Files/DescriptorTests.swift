// A closed descriptor's number may belong to another file at once, so that nobody may use it late. Seen through a pipe:
// its reading end tells when the last writing end is gone.
import Testing

@testable import OfflineEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct DescriptorTests {
    private let reader: Int32
    private let descriptor: Descriptor

    init() {
        var ends: [Int32] = [0, 0]
        _ = unsafe pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reader = ends[0]
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
        descriptor = Descriptor(owning: ends[1])
    }

    /// How many bytes the reading end has; 0 at the end, -1 where there is nothing yet.
    private func received() -> Int {
        var byte: UInt8 = 0
        return unsafe read(reader, &byte, 1)
    }

    /// Whether the writing end is closed. Waits for it: a process that another test is just starting may hold a copy for
    /// a moment.
    private func isClosed() -> Bool {
        var event = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&event, 1, 10_000) == 1 && received() == 0
    }

    private func send() throws(FileSystemError) -> Int {
        try descriptor.use(.write, "pipe") { number in
            var byte: UInt8 = 7
            return unsafe write(number, &byte, 1)
        }
    }

    @Test func `a close waits for the calls that run, and stops new ones at once`() throws {
        try descriptor.use(.write, "pipe") { number throws(FileSystemError) in
            try descriptor.use(.write, "pipe") { _ in descriptor.close() }
            #expect(throws: FileSystemError(.write, "pipe", EBADF)) { try send() }
            var byte: UInt8 = 7
            #expect(unsafe write(number, &byte, 1) == 1)
            #expect(received() == 1)
            #expect(received() == -1, "still open")
        }
        #expect(isClosed())
        close(reader)
    }

    @Test func `a close without calls is done at once, and once`() throws {
        #expect(try send() == 1)
        #expect(received() == 1)
        descriptor.close()
        descriptor.close()
        #expect(isClosed())
        #expect(throws: FileSystemError(.write, "pipe", EBADF)) { try send() }
        close(reader)
    }

    @Test func `a call that throws is over`() throws {
        #expect(throws: FileSystemError(.read, "pipe", EIO)) {
            try descriptor.use(.read, "pipe") { _ throws(FileSystemError) in
                throw FileSystemError(.read, "pipe", EIO)
            }
        }
        descriptor.close()
        #expect(isClosed())
        close(reader)
    }
}
