use super::*;
use uuid::Uuid;

const A: OrgId = OrgId(Uuid::from_u128(1));
const B: OrgId = OrgId(Uuid::from_u128(2));

fn room(bytes: u64, wait_seconds: u64) -> Arc<Room> {
    Room::new(&Limits { inflight_bytes: bytes, wait_seconds, ..Limits::default() }, false)
}

/// Whether it fits at once.
async fn fits(body: &mut Held, bytes: u64) -> bool {
    timeout(Duration::ZERO, body.arrive(bytes)).await.is_ok_and(|fits| fits.is_ok())
}

#[tokio::test]
async fn unfinished_bodies_of_one_organization_leave_room_for_another() {
    let room = room(1000, 0);
    let mut bodies: Vec<_> = (0..100).map(|_| room.body(A, 1000)).collect();
    for body in &mut bodies {
        let _ = fits(body, 9).await;
    }
    while fits(&mut bodies[99], 1).await {}
    let mut other = room.body(B, 100);
    assert!(fits(&mut other, 100).await);
    drop((bodies, other));
    let state = room.lock();
    assert_eq!((state.bytes.held(A), state.bytes.held(B), state.arriving.len()), (0, 0, 0));
}

#[tokio::test]
async fn the_oldest_body_always_gets_what_it_was_expected_to_need() {
    let room = room(1000, 0);
    let mut bodies: Vec<_> = (0..10).map(|_| room.body(A, 200)).collect();
    // All that they can get, byte by byte and in any order.
    for _ in 0..200 {
        for body in bodies.iter_mut().rev() {
            let _ = fits(body, 1).await;
        }
    }
    while let Some(mut oldest) = (!bodies.is_empty()).then(|| bodies.remove(0)) {
        let missing = 200 - oldest.sent;
        assert!(fits(&mut oldest, missing).await, "{missing} of {}", bodies.len());
        oldest.arrived();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_arrived_can_be_decoded_though_bodies_fill_their_half() {
    let room = room(1000, 0);
    let mut arrived = room.body(A, 240);
    assert!(fits(&mut arrived, 240).await);
    arrived.arrived();
    let mut arriving = room.body(A, 10);
    assert!(fits(&mut arriving, 10).await && !fits(&mut arriving, 1).await);
    let decoding = tokio::task::spawn_blocking(move || {
        let decoded = arrived.decoded_to(240, &Cancellation::default());
        arrived.sent_is_dropped();
        decoded
    });
    decoding.await.unwrap().unwrap();
    assert!(arriving.arrive(1).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_waits_for_room_is_refused_in_time_or_when_its_client_is_gone() {
    let room = room(1000, 1);
    let mut first = room.body(A, 250);
    assert!(fits(&mut first, 250).await);
    let mut second = room.body(A, 10);
    let Err(NoRoom::Busy(busy)) = second.arrive(1).await else { panic!("there is no room") };
    let told = "250 bytes of bodies of this organization are arriving or wait to be decoded, for which it has 250 (limits.inflight_bytes), and \
                none was done within 1 s (limits.wait_seconds); try again";
    assert_eq!(busy.to_string(), told);
    assert_eq!(second.arrive(300).await, Err(NoRoom::TooLarge(250)));
    let (mut third, forever) = (room.body(B, 1), Cancellation::default());
    let decoded = tokio::task::spawn_blocking(move || {
        let (much, more) = (first.decoded_to(250, &forever), third.decoded_to(250, &forever));
        assert_eq!((much, more), (Ok(()), Ok(())));
        let too_much = third.decoded_to(501, &forever);
        forever.cancel();
        (too_much, third.decoded_to(251, &forever), first)
    });
    let (too_much, cancelled, _first) = decoded.await.unwrap();
    assert_eq!((too_much, cancelled), (Err(NoRoom::TooLarge(500)), Err(NoRoom::Cancelled)));
}
