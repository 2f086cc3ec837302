//! The filter: a program for the kernel that says which system calls are asked about.
//!
//! It stops the calls of [`calls`](super::calls), and of ioctl only the requests that block
//! devices, disks, SCSI and CD-ROM have. Calls of another machine's kind (32-bit programs) pass.
//!
//! Source: seccomp(2) of the Linux manual, `<linux/filter.h>`.

use std::mem::offset_of;

use super::calls;
use super::system::Instruction;

/// The calls of this machine's kind, in the kernel's numbers (`<linux/audit.h>`).
#[cfg(target_arch = "x86_64")]
const MACHINE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const MACHINE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const MACHINE: u32 = 0xc000_00f3;

/// The second lowest byte of the requests that are stopped: disks (`HDIO_`), block devices
/// (`BLK`), SCSI generic (`SG_`), CD-ROM and SCSI (`CDROM`, `DVD_`, `SCSI_IOCTL_`).
const REQUEST_TYPES: [u32; 4] = [0x03, 0x12, 0x22, 0x53];

/// The filter.
pub fn program() -> Vec<Instruction> {
    let numbers: Vec<u32> = calls::numbers()
        .filter_map(|n| u32::try_from(n).ok())
        .collect();
    let ioctl = u32::try_from(libc::SYS_ioctl).unwrap_or(u32::MAX);
    // From the end: what each part jumps to is at a distance that it knows.
    let [notify, allow] = [
        instruction(RETURN, libc::SECCOMP_RET_USER_NOTIF, 0, 0),
        instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let mut request = vec![
        instruction(LOAD, REQUEST, 0, 0),
        instruction(AND, 0xff00, 0, 0),
    ];
    request.extend(jumps(REQUEST_TYPES.map(|kind| kind << 8).as_slice(), 1));
    request.push(allow);
    request.push(notify);

    let mut program = vec![
        instruction(LOAD, offset(offset_of!(libc::seccomp_data, arch)), 0, 0),
        instruction(EQUALS, MACHINE, 1, 0),
        allow,
        instruction(LOAD, offset(offset_of!(libc::seccomp_data, nr)), 0, 0),
    ];
    // Behind the numbers stand the test for ioctl, and what to do with any other call.
    program.extend(jumps(&numbers, 2));
    program.push(instruction(EQUALS, ioctl, 2, 0));
    program.push(allow);
    program.push(notify);
    program.extend(request);
    program
}

/// One test for each value: if it holds, go on `behind` instructions after the last test.
fn jumps(values: &[u32], behind: usize) -> impl Iterator<Item = Instruction> {
    values.iter().enumerate().map(move |(index, value)| {
        let distance = values.len() - 1 - index + behind;
        let distance = u8::try_from(distance).expect("fewer than 200 calls are stopped");
        instruction(EQUALS, *value, distance, 0)
    })
}

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const EQUALS: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

/// The lower half of the second argument, on machines with the low byte first.
const REQUEST: u32 = offset(offset_of!(libc::seccomp_data, args) + 8);

#[expect(clippy::cast_possible_truncation)]
const fn offset(bytes: usize) -> u32 {
    bytes as u32
}

#[expect(clippy::cast_possible_truncation)]
const fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction {
        code: code as u16,
        jt,
        jf,
        k,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel does with a filter, for the instructions that this one has.
    fn run(machine: u32, number: libc::c_long, second: u64) -> u32 {
        let mut data = [0; size_of::<libc::seccomp_data>()];
        let number = u32::try_from(number).unwrap();
        data[..4].copy_from_slice(&number.to_ne_bytes());
        data[4..8].copy_from_slice(&machine.to_ne_bytes());
        data[24..32].copy_from_slice(&second.to_ne_bytes());
        let program = program();
        let (mut at, mut value) = (0, 0);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            at += 1;
            match u32::from(code) {
                LOAD => {
                    let start = k as usize;
                    value = u32::from_ne_bytes(data[start..start + 4].try_into().unwrap());
                }
                AND => value &= k,
                EQUALS => at += usize::from(if value == k { jt } else { jf }),
                RETURN => return k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    #[test]
    fn calls_that_may_concern_the_drive_are_stopped() {
        let stopped = |number, second| run(MACHINE, number, second) == libc::SECCOMP_RET_USER_NOTIF;
        for number in calls::numbers() {
            assert!(stopped(number, 0), "{number}");
        }
        for request in [0x2285, 0x5326, 0x5382, 0x1261, 0x8008_1272, 0x030d] {
            assert!(stopped(libc::SYS_ioctl, request), "{request:#x}");
        }
    }

    #[test]
    fn others_pass() {
        let passes =
            |machine, number, second| run(machine, number, second) == libc::SECCOMP_RET_ALLOW;
        assert!(passes(MACHINE, libc::SYS_ioctl, 0x5401), "a terminal's");
        for number in [
            libc::SYS_close,
            libc::SYS_mmap,
            libc::SYS_sendmsg,
            libc::SYS_execve,
        ] {
            assert!(passes(MACHINE, number, 0), "{number}");
        }
        assert!(
            passes(0x4000_0003, libc::SYS_openat, 0),
            "of a 32-bit program"
        );
    }
}
