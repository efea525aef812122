//! A server that reads nothing of what it is asked: so much comes, so much goes. What it takes is
//! what the kernel takes.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd;
use std::process::Command;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::workload::Batch;

const ASKED: &str = "VERSUS_NULL";
const READ_LEN: usize = 1 << 20;

/// Makes this command start one.
pub(crate) fn ask_for(command: &mut Command, port: u16, batch: &Batch) {
    let (request, reply) = (batch.request.len(), batch.reply.len());
    command.env(ASKED, format!("{port} {request} {reply}"));
}

/// Whether this process is to be one.
pub(crate) fn is_asked_for() -> bool {
    env::var_os(ASKED).is_some()
}

/// Is one, until it is ended.
pub(crate) fn serve() -> ! {
    let asked = env::var(ASKED).unwrap();
    let numbers: Vec<usize> = asked.split(' ').map(|word| word.parse().unwrap()).collect();
    let [port, request, reply] = numbers[..] else {
        panic!("{ASKED} is `{asked}`")
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap())).unwrap();
    let epoll = Epoll::new(EpollCreateFlags::empty()).unwrap();
    epoll
        .add(listener.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, 0))
        .unwrap();
    let (mut clients, mut buffer) = (Vec::new(), vec![0; READ_LEN]);
    let canned = vec![b'x'; reply];
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let count = epoll.wait(&mut events, EpollTimeout::NONE).unwrap();
        for event in &events[..count] {
            let Some(at) = usize::try_from(event.data()).unwrap().checked_sub(1) else {
                let (stream, _) = listener.accept().unwrap();
                stream.set_nodelay(true).unwrap();
                clients.push((stream, 0));
                let event = EpollEvent::new(EpollFlags::EPOLLIN, clients.len() as u64);
                epoll
                    .add(clients[clients.len() - 1].0.as_fd(), event)
                    .unwrap();
                continue;
            };
            let (stream, owed) = &mut clients[at];
            let Ok(length @ 1..) = stream.read(&mut buffer) else {
                let _ = epoll.delete(stream.as_fd());
                continue;
            };
            *owed += length;
            while *owed >= request {
                *owed -= request;
                let _ = stream.write_all(&canned);
            }
        }
    }
}
