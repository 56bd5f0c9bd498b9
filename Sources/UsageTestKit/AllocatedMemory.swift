internal import CLinux

/// What this process has allocated from the heap.
public enum AllocatedMemory {
    public static var bytes: Int { clinux_allocated_bytes() }
}
